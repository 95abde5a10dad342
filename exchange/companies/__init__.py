"""Businesses: who they are, whether they are vetted, who works for them and when, and whom they hide from.

Words. A *company* is one business with one registration number. A *legal group* is the parent behind several
companies: insight counts groups, and companies of one group cannot trade with each other. A *membership* ties a person
to the company they act for, with a role. A *block* hides one company's lots from a rival; the rival is never told.
A *pseudonym* is the name a company wears towards others on one lot, before agreement.

Promises. Nobody trades before the operator has vetted the company. Two lots of one seller cannot be linked by their
pseudonyms. No form of this domain tells whether a rival is a member. A clock that asks a person to act counts that
person's working hours, in their zone, holidays of their country left out. Mail comes in those hours, as each person
chose: at once, in one *summary* a day, or not; an *absence* sends it to a colleague and shifts no clock.
"""
