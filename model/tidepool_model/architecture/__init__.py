"""What a model is: its config, its layers, the model, reading a checkpoint. Imports no other room."""
