"""What a release needs once it is installed."""
