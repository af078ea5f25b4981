"""`bench`: a plan, the stages that carry it out, and the result.

`plan` checks what was asked for before anything is computed. The stages each take the plan and what
the stage before them made: `learn` trains, `maps` (with `finished`) writes maps, `rows` scores
them, `summary` ranks them. `bench` runs the stages in order; `result` is what it returns.

The room knows every stage of the flow. It does not know the command line.
"""
