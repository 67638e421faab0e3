"""The HTML report: one self-contained page, to be mailed to the person who owns the budget.

A report is a template of its own that extends the base, and a call of ``page.render``:

    {# convertro_cli/review/diff/report.html.j2 #}
    {% extends "review/report/base.html.j2" %}
    {% import "review/report/parts.html.j2" as parts %}
    {% block title %}What the new settings change{% endblock %}
    {% block kicker %}convertro diff{% endblock %}
    {% block lede %}40 sale calls are added, worth {{ added | amount }}.{% endblock %}
    {% block content %}
      {{ parts.figures([{"label": "Calls added", "value": 40 | count, "tone": "added"}]) }}
      {% call parts.section("types", "By event type") %}
        {{ parts.chart(bars, "Value by event type, before and after") }}
        {{ parts.table("Calls by event type", columns, rows) }}
      {% endcall %}
    {% endblock %}

    page.render("review/diff/report.html.j2", bars=…, columns=…, rows=…)

Templates are found by their path inside the package ``convertro_cli``. Everything that is put
into them is escaped, control characters too, so text from an event needs no care: only
``charts`` gives markup, and escapes what it is given. A name that a template uses and ``render``
was not given is an error. Filters: ``count`` (1,234), ``amount`` (1,234.50), and ``signed``
after either ('+1,234.50', '−3', '±0'). Blocks: ``title``, ``kicker``, ``lede``, ``contents``
(see ``parts.contents``), ``content``, ``colophon``. The macros of ``parts.html.j2`` say there
what they take.
"""
