"""What a pipeline costs, block by block."""
