"""Simulated learners: what each of them writes into a chapter's answer cells."""
