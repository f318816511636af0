"""What runs beside a learner's code, in the sandbox: it knows no answers, and nothing that it says is believed."""
