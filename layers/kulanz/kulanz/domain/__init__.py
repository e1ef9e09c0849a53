"""The rules of credits as pure code: values in, values out; no AWS, no clock, no I/O."""
