"""What people see: the pay page, the bank's question, transfer instructions, onboarding, and the controls.

Everything works without JavaScript; there is none. A page posts to itself and answers with a redirect;
the controls answer with the page again, telling what was done.
"""
