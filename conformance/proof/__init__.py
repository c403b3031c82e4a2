"""The proof of the suite: every defect of the mock is caught and rightly blamed, every variant passes."""
