"""Writes grants.csv (ROWS grants, ten an account) and changed.csv (shuffled, 1 % of the rows other ones) into a folder."""

import random
import sys

folder, rows = sys.argv[1], int(sys.argv[2])
accounts, entitlements = max(1, rows // 10), 5000
chance = random.Random(1)
grants = [
    f"user{account:06},role{entitlement:04}\n"
    for account in range(accounts)
    for entitlement in chance.sample(range(entitlements), 10)
]
with open(f"{folder}/grants.csv", "w") as file:
    file.write("user,permission\n")
    file.writelines(grants)
for index in chance.sample(range(len(grants)), len(grants) // 100):
    account = grants[index].split(",")[0]
    grants[index] = f"{account},new{chance.randrange(entitlements):04}\n"
chance.shuffle(grants)
with open(f"{folder}/changed.csv", "w") as file:
    file.write("user,permission\n")
    file.writelines(dict.fromkeys(grants))
