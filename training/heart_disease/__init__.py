"""How the shipped heart-disease risk model is trained, validated and written as a bundle."""
