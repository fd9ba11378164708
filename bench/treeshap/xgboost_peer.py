"""Answers on stdin/stdout, one line each: `load MODEL.json`, `check ROWS.f32 N WIDTH OUT.f32`, `time ROWS.f32 N WIDTH SECONDS`.

`time` answers with the rows per second of pred_contribs, repeated for that many seconds; `check` writes N x (WIDTH + 1) float32.
"""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import xgboost as xgb

booster = None


def matrix(file, count, width):
    rows = np.fromfile(file, dtype="<f4")[: int(count) * int(width)].reshape(int(count), int(width))
    return xgb.DMatrix(rows, nthread=1)


print(xgb.__version__, flush=True)
for line in sys.stdin:
    command, *words = line.split()
    answer = "done"
    if command == "load":
        booster = xgb.Booster({"nthread": 1}, model_file=words[0])
        booster.set_param({"nthread": 1})
    elif command == "check":
        booster.predict(matrix(*words[:3]), pred_contribs=True).astype("<f4").tofile(words[3])
    elif command == "time":
        data, rows, start = matrix(*words[:3]), 0, time.perf_counter()
        while rows == 0 or time.perf_counter() - start < float(words[3]):
            booster.predict(data, pred_contribs=True)
            rows += int(words[1])
        answer = str(rows / (time.perf_counter() - start))
    print(answer, flush=True)
