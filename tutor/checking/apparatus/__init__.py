"""What stands beside an answer while it runs: what looks at what came of a call, and layers and nets that it is handed.

In grading, this runs in the sandbox beside learners' code, where ``tutor.checking.bank`` does not exist. So nothing here may
know what is right: no oracle, no wrong twin, no expected answer. A case names what is here, and hands it plain
arguments (tensors, numbers, texts, collections of them), which is all that a sandbox is ever told of a case.

``observe`` of a case is a function ``(value, args)`` of one of these modules, or a ``functools.partial`` of one that
takes its own arguments first. It measures what doesn't leave the sandbox, such as a net or a file; what that means, as all
that is known beforehand, is for ``judge`` to say, which stands in the bank.
"""
