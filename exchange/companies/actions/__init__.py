"""Every write about businesses, by noun: `sign_up`, `facts`, `members`, `rivals`, `vetting`, `mail`, `recognition`."""
