"""What a report and a page of the console draw: markup, pictures, figures; rendering alone, from the API's answers."""
