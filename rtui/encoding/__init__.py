"""Binary formats both ways: JSON in, bytes out, and back. What composer, saved messages, steps and commands share."""
