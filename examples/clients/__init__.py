"""Small clients of Koncili, developed and tested against the mock."""
