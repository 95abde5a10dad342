"""Introductions: the respectful first contact (guide/domain.md §5).

An *introduction* goes from one company to the masked seller of a lot and has five parts: who I am, what I do, how I
heard of you, my idea, when to reach me. Promises: it arrives in the recipient's working hours; nobody is pressed twice;
nothing the sender is told (refusals, limits, times) shows that two lots are of one seller.
"""
