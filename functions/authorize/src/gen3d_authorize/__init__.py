"""Who is calling the API: a person by their token, or a program by a key."""
