"""The film fee: fee lines as the HIS tells them, payments as tills tell them, the price list, and the ledger.

All money is integer fen (decision 9). The HIS is master of line and amount; its fee line id is the key of
money.
"""
