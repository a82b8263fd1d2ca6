"""What follows training: replies sampled, scored, learned from. Imports training, data, architecture and tasks."""
