"""Are the tests tested? Small changes to the firmware's rooms, each of which some test must notice."""
