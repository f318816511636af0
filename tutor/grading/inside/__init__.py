"""What works beside a learner's code in the sandbox, and is no more to be trusted than that code.

It runs cells and calls answers when it is told to, and sends back what came of it. What is right isn't known here.
"""
