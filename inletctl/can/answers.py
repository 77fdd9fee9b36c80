"""What the inlet makes of bad and of contradictory input on CAN: one row a case, each with the test that shows it.

Which answers to a frame's counter and checksum there are, and whether the frame is used, is firmware/vehicle/e2e.py's.
"""

# By the name of the answer: (what it is, what follows).
# fmt: off
PROTECTION = {
    "ok": ("the counter is one further", "used"),
    "skipped": ("one or two frames were lost in between", "used"),
    "repeated": ("the counter stands still", "not used; the age goes on, so that a sender that hangs is stale in time"),
    "wrong_checksum": ("the checksum is not that of these bytes and this id", "not used; two good frames in a row are needed, the second is used"),
    "wrong_counter": ("the counter is 15", "not used; two good frames in a row are needed, the second is used"),
    "lost_order": ("more than two frames were lost in between, or order is", "not used; counts as the first of two good frames in a row"),
    "first": ("the first one since boot, or since the message was stale", "not used; counts as the first of two good frames in a row"),
    "not_yet": ("the first good one after a wrong one", "not used"),
}
# fmt: on

# (what comes, what the inlet makes of it, the test that shows it)
# fmt: off
FRAMES = (
    ("an identifier nobody listens to", "kept out by the controller's filters; one that comes through is counted and does nothing", "test_unknown_identifier_does_nothing"),
    ("a protected frame of another length", "refused and told; the age goes on", "test_wrong_length_is_refused"),
    ("an unprotected frame that is too short", "refused and told; a longer one is read as far as its message goes", "test_short_foreign_frame_is_refused_and_a_long_one_read"),
    ("a signal out of its range", "the whole frame is refused and told, nothing of it is used; the age goes on", "test_out_of_range_signal_refuses_the_whole_frame"),
    ("wrong checksum, repeated, skipped or lost counter", "as above", "test_every_answer_of_the_protection_has_its_effect"),
    ("a frame refused", "the hold `can_data` for 2 s, and `can_refused` in raw counts it; it stops nothing by itself", "test_refusal_is_told_for_two_seconds"),
    ("silence", "after 500 ms (`vehicle_timeout_ms` where that is less) nothing is permitted; no request of the silent one stands", "test_stale_vehicle_permits_nothing_within_500_ms"),
    ("the controller missing, starting or off the bus", "the hold `can_bus`: charging stops as for a silent vehicle", "test_controller_out_of_service_is_a_hold"),
    ("the bus full of other traffic", "at most 2 frames a pass are taken, the others wait; an urgent frame that found no room is tried again in the next pass", "test_at_most_two_frames_are_taken_in_a_pass"),
)
WISHES = (
    ("permit and stop in one frame", "stop: nothing is permitted", "test_stop_beats_permit"),
    ("unlock while charging", "charging stops first, current before S2; the cable is released once it is proven dead (docs/shutdown.md)", "test_unlock_request_is_handed_on_and_permits_no_less_and_no_more"),
    ("permit while the gear is not in park, or not known", "the hold `not_parked`: no charging", "test_gear_that_is_not_parked_holds_back"),
    ("drive while plugged, or while that is not known", "the hold `drive_refused` tells it, `drive` stays inhibited; a parked vehicle goes on charging", "test_drive_request_with_the_plug_in_is_refused_and_told"),
    ("a limit of 0 A with permit", "the limit holds: below the minimum there is no charging", "test_limit_of_zero_is_handed_on"),
    ("one contactor open, the other closed or faulty", "closed", "test_contactors_count_as_open_when_both_are"),
    ("charger current: board and vehicle differ", "the higher one counts", "test_higher_of_two_charger_currents_counts"),
    ("AC volts: board and vehicle differ", "live, where one of them says so; the vehicle's 0 V proves nothing at the inlet", "test_the_vehicles_volts_only_ever_say_live_and_leave_the_boards_sense_alone"),
    ("communication controller: unlock permitted and state C wanted", "the cable stays locked", "test_unlock_permit_beside_a_wish_for_state_c_does_not_stand"),
    ("communication controller: state C wanted in its error stage", "not wanted", "test_error_stage_wants_no_state_c"),
    ("CPC: allow and stop, or allow with an on-board charger that pauses, is complete or in error", "nothing is permitted", "test_cpc_permits_only_what_both_forms_permit"),
    ("i3: request without ready, or one of the two frames stale", "nothing is permitted", "test_i3_needs_both_frames_fresh_and_both_bits"),
)
# fmt: on
