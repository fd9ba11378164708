"""The tables and the plot of the model card, as Markdown."""
import numpy as np

from .bands import BANDS, band_index
from .comparison import Alternative, HospitalLeak
from .evaluation import pooled_groups
from .features import FEATURE_CODES
from .measures import auroc, bootstrap_interval, mean_over_repeats, wilson_interval
from .patients import HOSPITALS
from .validation import Predictions

SHORT_NAMES = ('Cleveland', 'Budapest', 'Zurich, Basel', 'Long Beach')
PLOT_ROWS, PLOT_COLUMNS = 11, 51


def table(header: list, rows: list) -> str:
    """Writes a Markdown table of already formatted cells."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in lines)


def metrics_table(metrics: list) -> str:
    """Writes one row per metric of the manifest, in its words and digits."""
    return table(['measure', 'estimated by', 'value', '95 % interval'],
                 [[metric['name'], metric['method'], f'{metric["value"]:.3f}', _interval(metric)] for metric in metrics])


def hospitals_table(events: np.ndarray, hospital: np.ndarray) -> str:
    rows = []
    for index, place in enumerate(HOSPITALS):
        outcomes = events[hospital == index]
        rows.append([place.name, str(len(outcomes)), str(int(outcomes.sum())), percent(outcomes.mean())])
    rows.append(['all', str(len(events)), str(int(events.sum())), percent(events.mean())])
    return table(['hospital', 'patients', 'with the outcome', 'share'], rows)


def bands_table(predictions: Predictions) -> str:
    """Writes patients and observed event rate of each band. With repeats, numbers are means over them."""
    bands = band_index(predictions.probability)
    events = np.broadcast_to(predictions.patients.events, bands.shape)
    rows = []
    for index, band in enumerate(BANDS):
        inside = bands == index
        cells = [band.name, _limits(index), _rate_cell(events, inside, len(bands)), percent(predictions.probability[inside].mean())]
        for hospital in range(len(HOSPITALS)):
            cells.append(_short_rate_cell(events, inside & (predictions.patients.hospital == hospital), len(bands)))
        rows.append(cells)
    return table(['band', 'probability', 'observed', 'mean probability', *SHORT_NAMES], rows)


def reliability_table(predictions: Predictions) -> str:
    rows = []
    repeats = len(predictions.probability)
    for size, estimated, observed in pooled_groups(predictions):
        low, high = wilson_interval(observed, size / repeats)
        rows.append([f'{size / repeats:.0f}', percent(estimated), f'{percent(observed)} ({percent(low)} to {percent(high)})'])
    return table(['patients', 'mean probability', 'observed (95 % interval)'], rows)


def reliability_plot(predictions: Predictions) -> str:
    """Plots the observed rate (upwards) over the mean probability. Dots are the diagonal, `o` the ten groups."""
    grid = [[' '] * PLOT_COLUMNS for _ in range(PLOT_ROWS)]
    for column in range(PLOT_COLUMNS):
        grid[round(column / (PLOT_COLUMNS - 1) * (PLOT_ROWS - 1))][column] = '.'
    for _, estimated, observed in pooled_groups(predictions):
        grid[round(observed * (PLOT_ROWS - 1))][round(estimated * (PLOT_COLUMNS - 1))] = 'o'
    lines = [f'{100 * row // (PLOT_ROWS - 1):3d} % |{"".join(cells)}'.rstrip() for row, cells in enumerate(grid)]
    axis = '      +' + '-' * PLOT_COLUMNS
    labels = '       0 %' + '50 %'.rjust(PLOT_COLUMNS // 2 + 1) + '100 %'.rjust(PLOT_COLUMNS // 2)
    return '\n'.join([*reversed(lines), axis, labels])


def alternatives_table(alternatives: list) -> str:
    return table(['', 'leaves', 'AUROC', 'above shipped (95 % interval)', 'Brier', 'left out: AUROC', 'left out: Brier',
                  'left out: excess'], [_alternative_row(alternative) for alternative in alternatives])


def calibrations_table(results: list) -> str:
    return table(['map', 'Brier score', 'calibration slope', 'expected calibration error'],
                 [[result.name, _three(result.brier), _three(result.slope), _three(result.error)] for result in results])


def subgroups_table(predictions: Predictions) -> str:
    """Writes discrimination and level by sex and age."""
    age, sex = (predictions.patients.values[:, FEATURE_CODES.index(code)] for code in ('age', 'sex'))
    groups = {'women': sex == 0, 'men': sex == 1, 'under 50 years': age < 50, '50 to 59 years': (age >= 50) & (age < 60),
              '60 years and over': age >= 60}
    return table(['patients', 'number', 'AUROC (95 % interval)', 'mean probability', 'observed'],
                 [_subgroup_row(name, predictions.select(rows)) for name, rows in groups.items()])


def leak_table(leak: HospitalLeak) -> str:
    return table(['told from', *SHORT_NAMES],
                 [['which inputs are missing', *map(_three, leak.hospital_from_missing)],
                  ['the imputed model inputs', *map(_three, leak.hospital_from_inputs)]])


def importance_table(importance: dict, labels: dict) -> str:
    ordered = sorted(importance.items(), key=lambda item: -item[1])
    return table(['input', 'mean absolute SHAP value'], [[labels[code], f'{value:.4f}'] for code, value in ordered])


def percent(share: float) -> str:
    return f'{100 * share:.1f} %'


def _interval(metric: dict) -> str:
    low, high = metric.get('confidenceInterval', (None, None))
    return '' if low is None else f'{low:.3f} to {high:.3f}'


def _limits(index: int) -> str:
    end = BANDS[index + 1].start if index + 1 < len(BANDS) else 1
    return f'{100 * BANDS[index].start:.0f} to {100 * end:.0f} %'


def _rate_cell(events: np.ndarray, inside: np.ndarray, repeats: int) -> str:
    size, rate = inside.sum() / repeats, events[inside].mean()
    low, high = wilson_interval(rate, size)
    return f'{percent(rate)} ({percent(low)} to {percent(high)}) of {size:.0f}'


def _short_rate_cell(events: np.ndarray, inside: np.ndarray, repeats: int) -> str:
    size = inside.sum() / repeats
    return f'{100 * events[inside].mean():.0f} % of {size:.0f}' if size >= 0.5 else 'none'


def _subgroup_row(name: str, part: Predictions) -> list:
    events, probability = part.patients.events, part.probability
    low, high = bootstrap_interval(lambda rows: mean_over_repeats(auroc, events[rows], probability[:, rows]),
                                   part.patients.hospital)
    return [name, str(len(events)), f'{mean_over_repeats(auroc, events, probability):.3f} ({low:.3f} to {high:.3f})',
            percent(probability.mean()), percent(events.mean())]


def _alternative_row(alternative: Alternative) -> list:
    low, high = alternative.gain_interval
    is_shipped = low == high == 0
    return [alternative.name, f'{alternative.leaves:,}', _three(alternative.auroc),
            '' if is_shipped else f'{alternative.gain:+.3f} ({low:+.3f} to {high:+.3f})', _three(alternative.brier),
            ', '.join(f'{value:.2f}' for value in alternative.left_out_auroc),
            ', '.join(f'{value:.2f}' for value in alternative.left_out_brier),
            ', '.join(f'{value:+.2f}' for value in alternative.left_out_excess)]


def _three(value: float) -> str:
    return f'{value:.3f}'
