"""What a person starts: the command line, the gateway, the embedded stack, training and settings."""
