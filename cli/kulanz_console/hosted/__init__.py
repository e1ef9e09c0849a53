"""The console that a stack serves: logins, sessions that are kept, and use cases in place of the API."""
