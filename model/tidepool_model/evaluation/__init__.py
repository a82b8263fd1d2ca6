"""What a model is measured with. Imports data and tasks."""
