"""The report of a campaign as one page of HTML that needs nothing else: rendering alone, from the API's answers."""
