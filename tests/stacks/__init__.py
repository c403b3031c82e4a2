"""Small servers as people build them, with a real database behind: what of them the suite sees. Not part of the tests."""
