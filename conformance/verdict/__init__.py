"""From what was seen to what is certified: evidence, verdicts, waivers and the certificate."""
