"""Gates: what a model must be before it becomes the champion, each declared in YAML and measured anew."""
