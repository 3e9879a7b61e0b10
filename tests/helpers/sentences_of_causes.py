"""Sentences as articles print them, written down before they were read: those that give a reason for a move, and those that give none."""

CAUSES = """
DeepSeek caused Nvidia to plunge
The model led to a plunge in Nvidia
a fall blamed on a Chinese start-up
Nvidia was dragged down by DeepSeek
Tesla was punished by shareholders
Chip makers were hit by a cheap Chinese model
Nvidia was under pressure from a rival in Hangzhou
The fall was the result of a new chatbot
Nvidia was a victim of its own success
Given the new rival, Nvidia plunged
The release prompted a slide in Nvidia
The chatbot triggered a rout
A start-up sparked a sell-off
A tweet set off a plunge in Tesla
Tariffs weighed on Apple
A recall pushed down Toyota
A cheap model made Nvidia plunge
A lab in Hangzhou sank Nvidia
A short seller crushed Adani
A scandal rocked Volkswagen
DeepSeek wiped 17% off Nvidia
Nvidia plunged at the news
Nvidia plunged on a cheap Chinese model
Boeing tumbled on a grounding of its jets
Bayer slid on a lawsuit over weedkiller
Intel sank on a suspended dividend
Meta soared on its first dividend
Pfizer jumped on a vaccine trial
Netflix leapt on a surge in subscribers
The euro zone's banks fell amid a crisis in Zurich
Credit Suisse collapsed as depositors fled
Shell rose thanks to dearer oil
Ryanair gained because fares went up
Wirecard crashed due to a hole in its books
Novo Nordisk was lifted by a new pill
Siemens was hurt by a weak China
Adidas was weighed down by the end of Yeezy
Broadcom was boosted by orders from Google
The Nasdaq was rattled by DeepSeek
Wall Street was spooked by a Chinese lab
A downgrade knocked Apple lower
Higher rates dragged the S&P 500 down
An earthquake pulled Tokyo shares lower
A merger lifted Commerzbank
A strong forecast drove Nvidia higher
The probe hammered Alphabet
The ruling cost Google's parent 5%
The report erased 9% from Alphabet's value
Boeing's shares suffered from the strike
The fall was attributed to profit-taking
The slide stemmed from a warning by TSMC
The drop came from doubts about capital spending
Oracle fell in response to its spending plans
Nvidia shed 17% in reaction to DeepSeek
In the wake of the crash Boeing fell 8%
Investors punished Intel for its outlook
Traders dumped Nvidia over a Chinese chatbot
Nvidia retreated as a rival emerged
Maersk climbed on attacks in the Red Sea
Lockheed rose on the war in Ukraine
Vistra was pummelled by doubts about power demand
Export controls clobbered ASML
The takeover sent Activision up 26%
Fears of a price war sent BYD lower
Zoom was a casualty of the return to the office
Moderna was undone by weak vaccine sales
Hopes of a rate cut buoyed Home Depot
UBS slipped at the prospect of tougher capital rules
""".strip().splitlines()

NONE = """
Nvidia fell by 17%
Nvidia fell on Monday
Nvidia plunged on the Nasdaq
Nvidia fell after two days
Nvidia closed at $118
Nvidia was down 17% by the close
Nvidia sank 17%
Nvidia fell by about a sixth
Nvidia lost almost $600 billion
Meta rose on Tuesday and Wednesday
Meta rose for a fifth day
The S&P 500 fell 1.5% on 27 January
The S&P 500 ended lower on Friday, 10 January
The Nasdaq dropped 3.1% to 19,341.83
Apple fell by more than a tenth in four sessions
Apple gained 3% over the week
Tesla soared over two sessions
Tesla jumped 15% on 6 November 2024
Toyota fell 9.1% in Tokyo
SAP rose 2% on Xetra
Shell was little changed on the London Stock Exchange
Nestlé fell in Zurich
Nvidia closed below $120
Nvidia hit a record high
Nvidia hit its lowest since October
Nvidia had its worst day since March 2020
It was the biggest one-day loss on record
Nvidia was the biggest loser of the S&P 500
Most of the S&P 500 rose that day
Shares of chip makers such as Nvidia and Broadcom fell
Nvidia, led by Jensen Huang, fell 17%
Nvidia, a chip maker based in California, fell 17%
Nvidia, owned by many funds, fell 17%
The index, compiled by S&P, fell 1.5%
The chip designed by Nvidia is fast; its shares fell 17%
Nvidia fell more than Meta
Meta beat the market by 3 points
Meta outperformed Nvidia by 19 points
Alphabet lagged the S&P 500 by 3 points
Apple overtook Nvidia as the largest company
Nvidia recovered within a week
The S&P 500 was back at its old level by 5 February
Bank of America fell 2% on the day
Boeing finished the month 5% lower
Boeing fell in January
Amazon rose 1% in New York trading
Amazon fell for the week
Intel slid 26% on 2 August, its worst day in decades
Intel fell at the close
Intel ended the session at $21.48
Microsoft was unchanged on the day
Microsoft fell before the close on Wednesday
Oracle rose 14% on Thursday, the most since 2021
Oracle rose by the end of the week
Visa and Mastercard fell on both days
JPMorgan rose on heavy volume
Volkswagen fell on average 1% a day
Coca-Cola was up on the year
Pfizer fell on each of the three days
Disney fell on the New York Stock Exchange
Disney fell after the close on Monday
IBM rose 13% on the last day of the month
Walmart fell as the third of five
Tesla fell as well
Chevron rose by 2% at the start of the week
Nvidia erased its gains of the year
Nvidia lost a sixth of its value
Nvidia wiped out its gains since September
""".strip().splitlines()
