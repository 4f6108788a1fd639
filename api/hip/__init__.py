"""The hospital's web services 医院信息平台: SOAP at /ws/hip (WS/T 500 part 1), every message into the inbox.

soap.py reads and writes envelopes, wsdl.py describes them, payload.py tells what a string holds, views.py joins them.
"""
