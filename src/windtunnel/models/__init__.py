"""Language models: what is said to them, who answers, and what it may cost."""
