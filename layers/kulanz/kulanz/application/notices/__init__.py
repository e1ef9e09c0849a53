"""What customers are told, projected from what is committed."""
