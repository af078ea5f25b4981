"""`bench`: a plan, the stages that carry it out, and the result.

`choices` is what a user may choose; `plan` checks it before anything is computed. Each stage takes
the plan and what the stage before it made: `learn` trains, `maps` and `finished` write maps, `rows`
scores them, `summary` ranks them. `bench` runs the stages in order and returns the `result`.

The room knows every stage of the flow. It does not know the command line.
"""
