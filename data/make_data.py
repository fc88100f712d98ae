"""Makes the tables of this folder anew: `python data/make_data.py`.

diabetes.csv is the set of Efron, Hastie, Johnstone and Tibshirani (Least Angle Regression, 2004) as
scikit-learn bundles it, in its real units. rides.csv is made up, from a seed: what a taxi ride takes,
with dates, categories, yes/no and missing cells, as tables have them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

FOLDER = Path(__file__).parent


def make_diabetes() -> pd.DataFrame:
    """442 patients; the target is the progression of the disease a year later."""
    names = {
        "s1": "total_cholesterol",
        "s2": "ldl",
        "s3": "hdl",
        "s4": "cholesterol_hdl_ratio",
        "s5": "log_triglycerides",
        "s6": "glucose",
        "bp": "blood_pressure",
        "target": "progression",
    }
    frame = load_diabetes(as_frame=True, scaled=False).frame.rename(columns=names)
    return frame.round({"log_triglycerides": 4, "cholesterol_hdl_ratio": 2, "blood_pressure": 2, "bmi": 1})


def make_rides(n_rows: int = 4000, seed: int = 7) -> pd.DataFrame:
    """Rides over one year; minutes depend on distance, rush hour, zone, rain and the season."""
    generator = np.random.default_rng(seed)
    moment = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.sort(generator.integers(0, 366 * 1440, n_rows)), "min"
    )
    hour = moment.hour + moment.minute / 60
    zone = generator.choice(
        ["Airport", "Centre", "Harbour", "North", "West"], n_rows, p=[0.1, 0.4, 0.15, 0.2, 0.15]
    )
    rain = generator.random(n_rows) < 0.25
    distance = np.round(generator.gamma(2.0, 2.6, n_rows) + np.where(zone == "Airport", 9.0, 0.6), 2)
    weekday = moment.day_of_week < 5
    rush = weekday * (np.exp(-((hour - 8.3) ** 2) / 1.6) + np.exp(-((hour - 17.6) ** 2) / 2.4))
    speed = np.where(zone == "Centre", 21.0, np.where(zone == "Airport", 46.0, 31.0)) / (
        1 + 0.85 * rush + 0.2 * rain
    )
    winter = 1 + 0.08 * np.cos(2 * np.pi * moment.day_of_year / 366)
    minutes = 2.5 + 60 * distance / speed * winter * generator.lognormal(0.0, 0.07, n_rows)
    frame = pd.DataFrame(
        {
            "picked_up": moment.strftime("%Y-%m-%d %H:%M"),
            "zone": zone,
            "distance_km": distance,
            "passengers": generator.choice([1, 2, 3, 4], n_rows, p=[0.6, 0.25, 0.1, 0.05]),
            "rain": np.where(rain, "yes", "no"),
            "minutes": np.round(minutes, 1),
        }
    )
    frame["passengers"] = frame["passengers"].astype("Int64").mask(generator.random(n_rows) < 0.03)
    frame["zone"] = frame["zone"].mask(generator.random(n_rows) < 0.01)
    return frame


if __name__ == "__main__":
    for name, frame in {"diabetes": make_diabetes(), "rides": make_rides()}.items():
        frame.to_csv(FOLDER / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}.csv: {len(frame):,} rows")
