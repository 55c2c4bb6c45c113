"""What is open and why, and what a request would cost now, for whoever asks."""
