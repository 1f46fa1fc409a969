#!/usr/bin/env python3
"""Opacus' epsilon for several trainings by DP-SGD.

    behavior_privacy.py > src/behavior/tabular/reference/opacus.json

The test at the foot of src/behavior/tabular/accountant.rs compares with them. Needs opacus (pip install opacus==1.6.0).
"""

import itertools
import json

from opacus.accountants import RDPAccountant

cases = []
for noise, sample_rate, steps in itertools.product((0.6, 1.0, 1.7, 4.0), (0.004, 0.03, 0.2), (50, 600, 5000)):
    accountant = RDPAccountant()
    accountant.history = [(noise, sample_rate, steps)]
    epsilon = accountant.get_epsilon(delta=1e-5)
    cases.append({"noise": noise, "sample_rate": sample_rate, "steps": steps, "delta": 1e-5, "epsilon": epsilon})
print(json.dumps(cases, indent=1))
