#!/bin/sh
# The commands of release 0.1 that made everything here but data/ and maps/ (those: make.py).
set -ex
numbers="--set score.metrics=['auc_judd','cc','kl','nss']"
emomap bench --data data --method uniform --method center --method mine=maps --method paef \
    --no-baselines $numbers --out run
rm run/report.html run/.lock
emomap table run --format md -o table.md
emomap table run --format csv -o table.csv
emomap compare run --all-pairs --format json -o compare.json
for k in 1 2; do
    emomap bench --data data --method uniform --method mine=maps --no-baselines \
        --set "score.metrics=['cc','nss']" --set bench.report=false --shard $k/2 --out shard$k
    rm shard$k/.lock
done
emomap merge merged shard1 shard2
for format in csv json jsonl; do
    emomap score maps data --allow-missing --metrics auc_judd,cc,kl,nss --per-image mine.$format
done
emomap score run/maps/center data --allow-missing --metrics auc_judd,cc,kl,nss \
    --per-image center.csv --format json -o center-means.json
for k in 1 2; do
    emomap score maps data --allow-missing --metrics cc,nss --shard $k/2 --per-image part$k.jsonl
done
emomap merge whole.jsonl part1.jsonl part2.jsonl --format json > whole-means.json
emomap compare mine.csv center.csv --format json -o compare-files.json
