"""Specifications in English: what a small works writes about its joints, shafts, springs and pumps.

The notation is that of `pages.parsed`; file names are the keys.
"""

BOLTED_JOINTS = """\
# Bolted flange joints: assembly and inspection
SPEC-101 Rev. C | 2021-04-12

## 1. Scope

This specification applies to flange joints of pressure piping up to 150A and 1.6 MPa that are made with hexagon
bolts and sheet gaskets. It does not apply to joints in refrigerant lines, for which SPEC-117 is in force.

A joint is accepted when the gasket is compressed evenly, the bolts carry the stated preload and the leak test
of clause 5 has been passed.

## 2. Materials

Flanges are forged from SF440A or cut from SS400 plate. Stainless lines use SUS304 throughout, bolts included.
Mixed pairs of carbon steel flanges and stainless bolts are not permitted outdoors because of galvanic
corrosion.

| Item | Material | Surface | Remark |
| Flange 25A-65A | SS400 | machined Ra 6.3 | plate, slip-on |
| Flange 80A-150A | SF440A | machined Ra 6.3 | weld neck |
| Hexagon bolt | SCM435 | zinc flake | class 8.8 |
| Gasket | compressed fibre | - | 2.0 mm thick |

Gaskets are stored flat, in the dark and away from ozone; a gasket is never used twice.

---

## 3. Tightening torque

Bolts are lubricated with molybdenum paste on thread and nut face. Tightening proceeds crosswise in three steps:
30 %, 70 % and 100 % of the torque in the table, followed by one round in a circle.

| Thread | Pitch | Torque (N m) | Preload (kN) |
| M10 | 1.5 | 38 | 21 |
| M12 | 1.75 | 66 | 31 |
| M16 | 2.0 | 160 | 57 |
| M20 | 2.5 | 315 | 90 |
| M24 | 3.0 | 540 | 129 |

The torque wrench is calibrated every twelve months; the certificate number is entered in the joint record.

## 4. Alignment

Flange faces are parallel within 0.3 mm over the outer diameter before the first bolt is tightened. Forcing a
misaligned pipe into place with the bolts is a defect even when the joint is tight afterwards.

Bolt holes are offset by not more than 1.5 mm. A hydraulic spreader may be used, crowbars may not.

---

## 5. Leak test

The line is filled with water, vented at the highest point and pressurised to 1.5 times the design pressure for
thirty minutes. No drop of pressure beyond the temperature correction is accepted, and no drop of water.

Where water cannot be used, a soap bubble test with nitrogen at 0.05 MPa is made and witnessed by the customer.

## 6. Records

For each joint the record names the drawing number, flange size, gasket batch, torque, wrench and date. Records
are kept for ten years.
"""

SHAFTS = """\
# Machining and inspection of stepped shafts
SPEC-204 Rev. A | 2019-11-05

## 1. Purpose

Stepped shafts made of S45C or SCM435 carry bearings, couplings and gears. Their journals decide how long the
bearings live, so that diameters, roundness and surface are inspected on every piece.

## 2. Blank and heat treatment

Bars are sawn 4 mm longer than the finished shaft and centred at both ends to form A of the standard. S45C is
quenched and tempered to 201-269 HB; SCM435 to 269-331 HB. Bearing seats are induction hardened to 50 HRC with a
case depth of 1.5 mm where the drawing says so.

After heat treatment the blank is straightened to 0.05 mm over its length and stress relieved at 180 degrees C.

---

## 3. Tolerances

| Feature | Tolerance | Instrument | Frequency |
| Bearing seat | k5 | snap micrometer | every piece |
| Coupling seat | h6 | micrometer | every piece |
| Keyway width | P9 | slot gauge | 1 in 5 |
| Run-out of seats | 0.01 mm | dial gauge, centres | every piece |
| Roughness of seats | Ra 0.8 | stylus | 1 in 10 |

Dimensions without a tolerance follow JIS B 0405, class m. Edges are broken 0.2 to 0.5 mm.

## 4. Keyways and retaining ring grooves

Keyways are milled with a radius of 0.25 to 0.4 mm in the corners; a sharp corner starts fatigue cracks. Grooves
for retaining rings are turned in the same setting as the seat beside them.

## 5. Balancing

Shafts that turn faster than 1,800 revolutions per minute are balanced with half a key to grade G6.3 together
with their pulleys. The correction is drilled into the pulley and never into the shaft.

---

## 6. Packing

Seats are coated with rust preventive oil and wrapped in waxed paper. Shafts longer than 500 mm lie in V-shaped
supports at one quarter of their length.
"""

SPRINGS = """\
# Helical compression springs: ordering and acceptance
SPEC-310 Rev. B | 2020-02-20

## 1. Scope

Cold coiled compression springs of round wire from 1 to 8 mm, of piano wire SWP-B or stainless wire SUS304-WPB,
for valves, clamps and ejectors.

## 2. What an order states

Wire diameter, outer or inner diameter, free length, number of active coils, direction of coiling, spring rate,
load at a given length, surface treatment and quantity.

| Quantity | Grade 1 | Grade 2 | Grade 3 |
| Free length | 1 % | 2 % | 4 % |
| Outer diameter | 1 % | 1.5 % | 2 % |
| Spring rate | 5 % | 10 % | 15 % |
| Squareness | 1 deg | 2 deg | 3 deg |

---

## 3. Manufacture

Ends are closed and ground over three quarters of a turn. Springs are stress relieved within four hours of
coiling. Carbon steel springs above 1,000 N/mm2 are not electroplated, because hydrogen makes them brittle.

## 4. Fatigue

Valve springs pass ten million cycles between 20 and 80 percent of the travel without fracture and without a
loss of load of more than five percent. Shot peening is required above 600 N/mm2 of shear stress.

## 5. Acceptance

Samples are drawn from each batch: 8 from up to 280 pieces, 13 from up to 500. One spring outside its limits
rejects the batch, which may be sorted by the supplier and presented once more.
"""

PUMPS = """\
# Purchase specification: centrifugal cooling water pumps
SPEC-420 Rev. 0 | 2022-09-01

## 1. Duty

Two pumps, one in service and one on stand-by, circulate cooling water of 15 to 35 degrees C from the basin of
the cooling tower to the heat exchangers E-101 and E-102.

| Quantity | Unit | Value |
| Flow | m3/h | 24 |
| Head | m | 32 |
| Suction flange | - | 65A |
| Motor | kW | 5.5 |
| Speed | 1/min | 2,900 |

## 2. Construction

Single stage volute casing of FC250, impeller of CAC406 bronze, shaft of SUS304 with a mechanical seal of
silicon carbide. The motor is close coupled, class IE3, enclosure IP55.

The casing is drained by a plug and vented by a cock. Gate valves are supplied for suction and discharge, a
check valve for discharge only.

---

## 3. Foundation

The base plate stands on four M16 anchor bolts in a concrete block of twice the mass of the set. It is levelled
to 0.1 mm/m with steel wedges and grouted with non-shrinking mortar.

## 4. Noise and vibration

The sound pressure level at 1 m does not exceed 75 dB(A). Vibration velocity on the bearing housing does not
exceed 2.8 mm/s between half load and full load.

## 5. Tests at the works

Hydrostatic test at 1.0 MPa, performance test at five points of the curve, insulation test of the motor. The
customer is invited ten days before.

## 6. Spare parts

One mechanical seal, one set of ball bearings, one coupling insert and two sets of gaskets are delivered with
the pumps and named in the offer with their prices.
"""

ENGLISH: dict[str, str] = {
    "SPEC-101_bolted_flange_joints.pdf": BOLTED_JOINTS,
    "SPEC-204_stepped_shafts.pdf": SHAFTS,
    "SPEC-310_compression_springs.pdf": SPRINGS,
    "SPEC-420_cooling_water_pumps.pdf": PUMPS,
}
