"""What lists, maps, bits, sketches and expressions do, in plain Python.

Written from the description of the operations, not from the server's code: a second opinion. What
it does not say (which of equal items comes first, the order of some answers) it leaves open; the
servers are compared exactly with each other. Where a server 8.1.2 ends, nothing is drawn.
"""
