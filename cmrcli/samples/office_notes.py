"""Notes of an engineering office, as Markdown and plain text, in English and Japanese."""

NOTES: dict[str, str] = {
    "2021-03-meeting.md": """# Weekly meeting, 4 March 2021

## Conveyor 2
- The **rubber roller** at station 5 squeals; the ball bearings are dry. Replace both, then check the shaft.
- Chain elongation is 2.1 %. Order a new roller chain and inspect the sprocket teeth for hooked wear.

## Cooling water
- Pump P-102 vibrates above 4 mm/s. The coupling was realigned in January, so suspect the impeller.
- The gate valve before the heat exchanger no longer closes tightly. Spare in store room B.

## Drawings
- All drawings older than 2005 are to be scanned at 400 dpi, black and white, TIFF.
""",
    "maintenance-log.md": """# Maintenance log, press shop

| Date | Machine | What was done |
|---|---|---|
| 2022-01-11 | Press 3 | Return spring of the ejector broken, replaced, wire diameter 4 mm |
| 2022-02-02 | Press 1 | Hydraulic cylinder leaks at the rod seal, new O-ring set fitted |
| 2022-02-19 | Compressor | Safety valve tested, opens at 0.98 MPa |
| 2022-04-07 | Crane | Lifting hook inspected, throat opening within limits, no cracks |
| 2022-05-30 | Lathe 2 | Spindle bearings greased, belt tension reset, V-belt pulley cleaned |
""",
    "heat-sink-trial.md": """# Trial: passive cooling of the servo amplifier

The amplifier dissipates 38 W. With the extruded aluminium heat sink (eleven fins, 75 mm long) the case
settled at 71 degrees after fifty minutes; the limit is 80 degrees. With a fan in front of the fins it
settled at 46 degrees.

Next: the same with the enclosure closed, cable glands fitted and the door in the sun.
""",
    "supplier-evaluation.txt": """SUPPLIER EVALUATION 2022

Forge A      weld neck flanges    delivery 96 %   quality 99 %   price high
Foundry B    bearing housings     delivery 71 %   quality 93 %   porosity in two batches of FC250
Spring C     compression springs  delivery 98 %   quality 97 %   will visit in autumn
Fastener D   hexagon bolts, nuts  delivery 99 %   quality 99 %   certificates late
""",
    "議事録_設計会議.md": """# 設計会議 議事録

日時: 2022年7月8日 場所: 第2会議室

## 決定事項
1. 減速機の平歯車はモジュール2からモジュール2.5に変更する。歯面は高周波焼入れとする。
2. 軸受箱の材質はFC250からFCD450に変更し、取付ボルトをM10からM12にする。
3. 油圧ユニットの配管にUボルトとパイプクランプを追加し、振動を抑える。

## 宿題
- 手動ハンドル車の操作力を測定すること。
- エアシリンダのストローク不足について、来週までに対策案を出すこと。
""",
    "点検メモ.txt": """点検メモ 9月分

・冷却塔のボールバルブ、ハンドルが固い。分解して給油した。
・ポンプ室の床に水漏れあり。フランジのガスケットを交換。ボルトは対角に締め付けた。
・クレーンのフックに外れ止めがない。使用禁止の札を付けた。
・制御盤のヒートシンクにほこり。清掃済み。
""",
}
