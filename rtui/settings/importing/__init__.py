"""Sessions out of what other tools wrote: command lines, HAR files, exports of MQTT, API and browser tools.

One file for each source; `registry` finds the one that can read a text. A source only reads: nothing of it is run,
no file that it names is opened. What it says and rtui has no word for is told in `Left`, never dropped in silence.
"""
