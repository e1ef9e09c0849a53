"""A biller that is not ours: a process of its own with accounts and bills, which reads deliveries and errs on command.

It imports nothing of Kulanz. What stands on its bills is what Kulanz's own figures are compared with.
"""
