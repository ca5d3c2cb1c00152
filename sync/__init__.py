"""The effects, in order: pull, identify, score, plan, push."""
