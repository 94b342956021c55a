"""Lists: which rows an address asks for, in which order, and a page of them."""
