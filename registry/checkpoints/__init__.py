"""What comes in: a Hugging Face directory, judged before anything is done with it."""
