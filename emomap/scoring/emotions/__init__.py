"""Predicted emotions x what people said -> values: labels, distributions, valence and arousal.

`judged` brings predictions and labels together, `columns` computes what only a whole set has, and
`scores` everything, with intervals. The room may not know how a prediction was made: it sees
tables, no picture, map or model.
"""
