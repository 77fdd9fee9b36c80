"""The virtual inlet: EVSE, cable, contacts, lock, charger, car and person, as physics. `world.World` is the way in."""
