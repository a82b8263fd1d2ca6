"""From a checkpoint to the files that the app and other programs open. Imports architecture."""
