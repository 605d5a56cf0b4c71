"""What surrounds the application: the template that goes to AWS, packaging, the relay on a laptop."""
