"""What results say about players, and how surely: pure functions of games, no run and no store."""
